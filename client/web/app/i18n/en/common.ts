/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Words that every part of the page uses. */
export const common = {
	'common.required': 'needed',
	'common.optional': 'may be left blank',
	'common.hide': 'Hide',
	'common.show': 'Show',
	'common.close': 'Close',
	'common.cancel': 'Cancel',
	'common.back': 'Back',
	'common.next': 'Next',
	'common.done': 'Done',
	'common.save': 'Save',
	'common.retry': 'Try again',
	'common.exit': 'Exit',
	'common.wait': 'One moment…',
	'common.yes': 'Yes',
	'common.no': 'No',
	'common.delete': 'Delete',
	'common.continue': 'Continue',
	'common.more': 'More',
	'common.list': '{a} and {b}',
	'common.version': 'Version {v}',
} as const;
