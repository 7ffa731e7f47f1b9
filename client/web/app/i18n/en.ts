/* SPDX-License-Identifier: AGPL-3.0-or-later */
import { common } from './en/common';
import { errors } from './en/errors';
import { volunteer } from './en/volunteer';

export const en = { ...common, ...errors, ...volunteer } as const;
