/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "refusal.h"

const char *refusal_text(enum refusal r)
{
	switch (r) {
	case REFUSAL_NONE:         return "";
	case REFUSAL_NOT_HOLDER:   return "not_holder";
	case REFUSAL_NOT_ASSIGNED: return "not_assigned";
	case REFUSAL_NOT_MEMBER:   return "not_member";
	case REFUSAL_HAS_IT:       return "has_it";
	case REFUSAL_ASKED:        return "asked";
	case REFUSAL_HAS_IT_NOT:   return "has_it_not";
	case REFUSAL_RECUSED:      return "recused";
	case REFUSAL_ANSWERED:     return "answered";
	case REFUSAL_WITHDRAWN:    return "withdrawn";
	case REFUSAL_TOO_LATE:     return "too_late";
	case REFUSAL_CLOSED:       return "closed";
	case REFUSAL_NOT_CLOSED:   return "not_closed";
	case REFUSAL_ALONE:        return "alone";
	case REFUSAL_ERASED:       return "erased";
	case REFUSAL_NO_KEYS:      return "no_keys";
	case REFUSAL_NO_DESK:      return "no_desk";
	case REFUSAL_UNTRUSTED:    return "untrusted";
	}
	return "";
}
