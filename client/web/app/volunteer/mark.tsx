/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The picture of the program, as in icons.mjs. */
import type { JSX } from 'preact';

export function Mark(): JSX.Element {
	return (
		<svg class="icon-mark" viewBox="0 0 96 96" aria-hidden="true" focusable="false">
			<rect width="96" height="96" rx="20" fill="#1f5b57" />
			<path d="M48 18L82 47 76 54 48 30 20 54 14 47zM26 53L48 34.5 70 53V78H26z" fill="#faf6f0" />
			<path d="M41 78V58h14v20z" fill="#f2b86b" />
		</svg>
	);
}
