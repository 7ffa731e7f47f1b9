/* SPDX-License-Identifier: AGPL-3.0-or-later */
import { common } from './en/common';
import { desk } from './en/desk';
import { errors } from './en/errors';
import { form } from './en/form';
import { volunteer } from './en/volunteer';

export const en = { ...common, ...errors, ...desk, ...form, ...volunteer } as const;
