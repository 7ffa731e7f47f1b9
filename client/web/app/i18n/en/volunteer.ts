/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The screens around an interview. */
export const volunteer = {
	'boot.no_core': 'This page is not complete: its core is missing. Get the page again from your administrator.',
	'boot.failed': 'Amparo could not start',
	'boot.failed_hint': 'Use a newer Chrome, Firefox or Safari, or close other pages and open this one again.',
	'language.title': 'Language',
} as const;
