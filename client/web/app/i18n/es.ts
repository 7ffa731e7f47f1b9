/* SPDX-License-Identifier: AGPL-3.0-or-later */
import { common } from './es/common';
import { desk } from './es/desk';
import { errors } from './es/errors';
import { form } from './es/form';
import { volunteer } from './es/volunteer';
import type { en } from './en';

export const es: Record<keyof typeof en, string> = { ...common, ...errors, ...desk, ...form, ...volunteer };
