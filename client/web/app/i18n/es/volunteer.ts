/* SPDX-License-Identifier: AGPL-3.0-or-later */
import type { volunteer as en } from '../en/volunteer';

export const volunteer: Record<keyof typeof en, string> = {
	'boot.no_core': 'Esta página no está completa: le falta el núcleo. Pida otra vez la página a su administrador.',
	'boot.failed': 'Amparo no pudo empezar',
	'boot.failed_hint': 'Use un Chrome, Firefox o Safari más nuevo, o cierre otras páginas y abra esta de nuevo.',
	'language.title': 'Idioma',
};
