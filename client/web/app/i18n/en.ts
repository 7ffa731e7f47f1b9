/* SPDX-License-Identifier: AGPL-3.0-or-later */
import { common } from './en/common';
import { errors } from './en/errors';
import { form } from './en/form';
import { volunteer } from './en/volunteer';

export const en = { ...common, ...errors, ...form, ...volunteer } as const;
