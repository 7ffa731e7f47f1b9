/* SPDX-License-Identifier: AGPL-3.0-or-later */
import type { common as en } from '../en/common';

export const common: Record<keyof typeof en, string> = {
	'common.required': 'hace falta',
	'common.optional': 'puede quedar en blanco',
	'common.hide': 'Ocultar',
	'common.show': 'Mostrar',
	'common.close': 'Cerrar',
	'common.cancel': 'Cancelar',
	'common.back': 'Atrás',
	'common.next': 'Siguiente',
	'common.done': 'Listo',
	'common.save': 'Guardar',
	'common.retry': 'Intentar de nuevo',
	'common.exit': 'Salir',
	'common.wait': 'Un momento…',
	'common.yes': 'Sí',
	'common.no': 'No',
	'common.delete': 'Borrar',
	'common.continue': 'Continuar',
	'common.more': 'Más',
	'common.list': '{a} y {b}',
	'common.version': 'Versión {v}',
};
