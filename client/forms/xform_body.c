/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The body of a form: groups, repeats and questions. */
#include <string.h>

#include "xform_int.h"

#define QUESTIONS_MAX 20000

static const struct {
	const char *name;
	enum fctl_kind kind;
} controls[] = {
	{"group", FCTL_GROUP}, {"repeat", FCTL_REPEAT}, {"input", FCTL_INPUT},
	{"select1", FCTL_SELECT1}, {"select", FCTL_SELECT}, {"rank", FCTL_RANK},
	{"range", FCTL_RANGE}, {"upload", FCTL_UPLOAD}, {"trigger", FCTL_TRIGGER},
};

/* Appearances that hand the question to another program: without it they cannot work. */
static int check_appearance(struct xparse *p, const struct fctl *ctl, const char *where)
{
	const char *s = ctl->appearance;

	if (s == NULL)
		return 0;
	s += strspn(s, " \t\r\n");
	if (strncmp(s, "ex:", 3) == 0 || strncmp(s, "intent:", 7) == 0
	    || strncmp(s, "bearing", 7) == 0 || strncmp(s, "printer:", 8) == 0)
		return xparse_fail(p, PERR_UNKNOWN, "The question %s is answered by another app "
		                   "(appearance \"%.40s\"), which is not available here.", where, s);
	if (strstr(s, "search(") != NULL)
		return xparse_fail(p, PERR_UNKNOWN, "The question %s takes its choices by the old "
		                   "search() appearance; use select_one_from_file instead.", where);
	return 0;
}

static int parse_choices(struct xparse *p, struct fctl *ctl, const struct fnode *n)
{
	struct farena *a = p->f->arena;
	struct fchoice **end = &ctl->choices, *c;
	const struct fnode *item, *part;
	struct fitemset *set;
	struct ftext *label;
	const char *s;

	for (item = ftree_child(n, "item"); item != NULL; item = ftree_next(item, "item")) {
		c = farena_get(a, sizeof *c);
		if (c == NULL)
			return xparse_nomem(p);
		part = ftree_child(item, "value");
		if (part == NULL)
			return xparse_fail(p, PERR_FORMAT, "A choice of the question %s has no value.",
			                   ctl->def->path);
		s = part->text + strspn(part->text, " \t\r\n");
		c->value = farena_str(a, s, strcspn(s, " \t\r\n"));
		if (c->value == NULL)
			return xparse_nomem(p);
		part = ftree_child(item, "label");
		if (part != NULL) {
			if (xparse_text(p, &label, part, ctl->def) != 0)
				return -1;
			c->label = *label;
		}
		*end = c;
		end = &c->next;
	}
	item = ftree_child(n, "itemset");
	if (item == NULL)
		return 0;
	set = farena_get(a, sizeof *set);
	if (set == NULL)
		return xparse_nomem(p);
	set->by_value.arena = a;
	set->nodeset = ftree_attr(item, NULL, "nodeset");
	part = ftree_child(item, "value");
	set->value_ref = part == NULL ? NULL : ftree_attr(part, NULL, "ref");
	part = ftree_child(item, "label");
	s = part == NULL ? NULL : ftree_attr(part, NULL, "ref");
	if (set->nodeset == NULL || set->value_ref == NULL)
		return xparse_fail(p, PERR_FORMAT, "The list of choices of the question %s does not "
		                   "say where its choices or their values are.", ctl->def->path);
	if (s == NULL)
		s = set->value_ref;
	s += strspn(s, " \t\r\n");
	if (strncmp(s, "jr:itext(", 9) == 0) {
		set->label_is_itext = true;
		s = farena_str(a, s + 9, strcspn(s + 9, ")"));
		if (s == NULL)
			return xparse_nomem(p);
	}
	set->label_ref = s;
	ctl->itemset = set;
	return 0;
}

bool xparse_is_action(const struct fnode *n)
{
	return n->name != NULL && (strcmp(n->name, "setvalue") == 0
		|| strcmp(n->name, "setgeopoint") == 0 || strcmp(n->name, "setlocation") == 0
		|| strcmp(n->name, "recordaudio") == 0);
}

int xparse_action(struct xparse *p, struct faction **list, const struct fnode *n,
                  const struct fdef *context)
{
	const char *ref = ftree_attr(n, NULL, "ref"), *event = ftree_attr(n, NULL, "event");
	struct faction *act;
	const struct fdef *bound;

	if (strcmp(n->name, "recordaudio") == 0)
		return xparse_fail(p, PERR_UNKNOWN, "The form records sound in the background "
		                   "(odk:recordaudio); a form that records people unseen is refused.");
	/* Locations are not taken; the specification has a failed fix leave the value empty. */
	if (strcmp(n->name, "setvalue") != 0)
		return 0;
	act = farena_get(p->f->arena, sizeof *act);
	if (act == NULL)
		return xparse_nomem(p);
	if (ref == NULL && (ref = ftree_attr(n, NULL, "bind")) != NULL) {
		bound = fmap_get(&p->bind_by_id, NULL, ref);
		act->target = (struct fdef *)bound;
	} else if (ref != NULL) {
		act->target = xform_resolve(p->f, context, ref);
	}
	if (act->target == NULL)
		return xparse_fail(p, PERR_FORMAT, "A setvalue action writes to %s, which the form "
		                   "does not have.", ref == NULL ? "nothing" : ref);
	if (event == NULL)
		return xparse_fail(p, PERR_FORMAT, "The setvalue action for %s names no event.",
		                   act->target->path);
	if (strstr(event, "odk-instance-first-load") != NULL || strstr(event, "xforms-ready") != NULL)
		act->events |= FEVENT_FIRST_LOAD;
	if (strstr(event, "odk-new-repeat") != NULL)
		act->events |= FEVENT_NEW_REPEAT;
	if (strstr(event, "xforms-value-changed") != NULL)
		act->events |= FEVENT_CHANGED;
	if (act->events == 0)
		return xparse_fail(p, PERR_UNKNOWN, "The setvalue action for %s waits for the event "
		                   "\"%s\", which is not supported.", act->target->path, event);
	act->src = ftree_attr(n, NULL, "value");
	if (act->src == NULL || act->src[0] == '\0')
		act->literal = n->text;
	while (*list != NULL)
		list = &(*list)->next;
	*list = act;
	return 0;
}

/* What the control's element says besides its children. */
static int parse_attributes(struct xparse *p, struct fctl *ctl, const struct fnode *n)
{
	ctl->appearance = ftree_attr(n, NULL, "appearance");
	ctl->mediatype = ftree_attr(n, NULL, "accept");
	if (ctl->mediatype == NULL)
		ctl->mediatype = ftree_attr(n, NULL, "mediatype");
	ctl->start = ftree_attr(n, NULL, "start");
	ctl->end = ftree_attr(n, NULL, "end");
	ctl->step = ftree_attr(n, NULL, "step");
	ctl->count = ftree_attr(n, NS_JR, "count");
	if (ftree_attr(n, NS_JR, "noAddRemove") != NULL)
		ctl->no_add_remove = strncmp(ftree_attr(n, NS_JR, "noAddRemove"), "true", 4) == 0;
	if (ctl->kind == FCTL_RANGE && (ctl->start == NULL || ctl->end == NULL || ctl->step == NULL))
		return xparse_fail(p, PERR_FORMAT, "The range question %s lacks its start, end or "
		                   "step.", ctl->def->path);
	return check_appearance(p, ctl, ctl->def == NULL ? n->name : ctl->def->path);
}

static int bind_control(struct xparse *p, struct fctl *ctl, const struct fnode *n,
                        struct fdef *context)
{
	const char *ref = ftree_attr(n, "", "ref"), *id = ftree_attr(n, "", "bind");
	struct fdef *def = NULL;

	if (ref == NULL)
		ref = ftree_attr(n, "", "nodeset");
	if (ref != NULL)
		def = xform_resolve(p->f, context, ref);
	else if (id != NULL)
		def = fmap_get(&p->bind_by_id, NULL, ref = id);
	if (ref != NULL && def == NULL)
		return xparse_fail(p, PERR_FORMAT, "The body refers to %s, which the form's data "
		                   "does not have.", ref);
	if (def == NULL && ctl->kind != FCTL_GROUP)
		return xparse_fail(p, PERR_FORMAT, "A %s in the body does not say which answer it "
		                   "is for.", n->name);
	ctl->def = def;
	if (ctl->kind == FCTL_GROUP || def == NULL)
		return 0;
	if (ctl->kind == FCTL_REPEAT) {
		if (def->is_repeat)
			return xparse_fail(p, PERR_FORMAT, "The repeat %s stands twice in the body.",
			                   def->path);
		if (def->parent == NULL)
			return xparse_fail(p, PERR_FORMAT, "The whole form cannot be a repeat.");
		def->is_repeat = true;
	} else if (def->first != NULL) {
		return xparse_fail(p, PERR_FORMAT, "The question %s is a group in the form's data.",
		                   def->path);
	}
	if (def->ctl == NULL)
		def->ctl = ctl;
	return 0;
}

static void set_type(struct fctl *ctl)
{
	switch (ctl->kind) {
	case FCTL_SELECT:
	case FCTL_RANK:
		ctl->def->type = FTYPE_SELECT;
		break;
	case FCTL_UPLOAD:
		ctl->def->type = FTYPE_BINARY;
		break;
	case FCTL_GROUP:
	case FCTL_REPEAT:
	case FCTL_INPUT:
	case FCTL_SELECT1:
	case FCTL_RANGE:
	case FCTL_TRIGGER:
		break;
	}
}

static int number(struct xparse *p, struct fctl *ctl)
{
	const char *readonly = ctl->def->src[FSLOT_READONLY];

	/* pyxform writes a note as a read-only input; nobody answers it, so it has no number. */
	ctl->is_note = ctl->kind == FCTL_INPUT && readonly != NULL
		&& strncmp(readonly + strspn(readonly, " "), "true()", 6) == 0;
	if (ctl->is_note)
		return 0;
	if (p->f->n_questions >= QUESTIONS_MAX)
		return xparse_fail(p, PERR_LIMIT, "The form has more than %d questions.",
		                   QUESTIONS_MAX);
	ctl->number = ++p->f->n_questions;
	return 0;
}

static int parse_children(struct xparse *p, struct fctl *parent, const struct fnode *n,
                          struct fdef *context);

static int parse_control(struct xparse *p, struct fctl *parent, const struct fnode *n,
                         enum fctl_kind kind, struct fdef *context)
{
	struct fctl *ctl = farena_get(p->f->arena, sizeof *ctl);
	const struct fnode *c;

	if (ctl == NULL)
		return xparse_nomem(p);
	ctl->kind = kind;
	ctl->parent = parent;
	if (parent->last == NULL)
		parent->first = ctl;
	else
		parent->last->next = ctl;
	parent->last = ctl;
	if (bind_control(p, ctl, n, context) != 0 || parse_attributes(p, ctl, n) != 0)
		return -1;
	c = ftree_child(n, "label");
	if (c != NULL && xparse_text(p, &ctl->label, c, ctl->def) != 0)
		return -1;
	c = ftree_child(n, "hint");
	if (c != NULL && xparse_text(p, &ctl->hint, c, ctl->def) != 0)
		return -1;
	if (kind == FCTL_GROUP || kind == FCTL_REPEAT) {
		if (ctl->def != NULL && ctl->def->first == NULL)
			return xparse_fail(p, PERR_FORMAT, "The group %s has no questions in the form's "
			                   "data.", ctl->def->path);
		if (parse_children(p, ctl, n, ctl->def != NULL ? ctl->def : context) != 0)
			return -1;
		/*
		 * The group that only frames a repeat has the repeat's path: it is one label for
		 * all instances, and lends it to the repeat.
		 */
		if (kind == FCTL_GROUP && ctl->def != NULL && ctl->first != NULL
		    && ctl->first->kind == FCTL_REPEAT && ctl->first->def == ctl->def) {
			if (ctl->first->label == NULL)
				ctl->first->label = ctl->label;
			ctl->def = NULL;
		} else if (kind == FCTL_GROUP && ctl->def != NULL && ctl->def->ctl == NULL) {
			ctl->def->ctl = ctl;
		}
		return 0;
	}
	set_type(ctl);
	if ((kind == FCTL_SELECT1 || kind == FCTL_SELECT || kind == FCTL_RANK)
	    && parse_choices(p, ctl, n) != 0)
		return -1;
	for (c = n->first; c != NULL; c = c->next)
		if (xparse_is_action(c) && xparse_action(p, &ctl->actions, c, ctl->def) != 0)
			return -1;
	return number(p, ctl);
}

static int parse_children(struct xparse *p, struct fctl *parent, const struct fnode *n,
                          struct fdef *context)
{
	const struct fnode *c;
	size_t i;

	for (c = n->first; c != NULL; c = c->next) {
		if (c->name == NULL || strcmp(c->name, "label") == 0 || strcmp(c->name, "hint") == 0)
			continue;
		if (xparse_is_action(c)) {
			if (xparse_action(p, &parent->actions, c, context) != 0)
				return -1;
			continue;
		}
		for (i = 0; i < sizeof controls / sizeof controls[0]; i++)
			if (strcmp(c->name, controls[i].name) == 0)
				break;
		if (i == sizeof controls / sizeof controls[0])
			return xparse_fail(p, PERR_UNKNOWN, "The form uses a <%.40s> question, which is "
			                   "not supported.", c->name);
		if (parse_control(p, parent, c, controls[i].kind, context) != 0)
			return -1;
	}
	return 0;
}

static void list_questions(struct xform *f, struct fctl *ctl)
{
	struct fctl *c;

	for (c = ctl->first; c != NULL; c = c->next) {
		if (c->number != 0)
			f->questions[c->number - 1] = c;
		list_questions(f, c);
	}
}

int xparse_body(struct xparse *p, const struct fnode *body)
{
	struct xform *f = p->f;

	f->body = farena_get(f->arena, sizeof *f->body);
	if (f->body == NULL)
		return xparse_nomem(p);
	f->body->kind = FCTL_GROUP;
	if (parse_children(p, f->body, body, f->root) != 0)
		return -1;
	f->questions = farena_get(f->arena, (f->n_questions + 1) * sizeof *f->questions);
	if (f->questions == NULL)
		return xparse_nomem(p);
	list_questions(f, f->body);
	return 0;
}
