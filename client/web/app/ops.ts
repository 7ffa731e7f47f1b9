// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * All operations of the core: the contract between the screens and the C ops.  Each half is
 * described where it is declared.
 */
import type { OpsDesk } from './ops_desk';
import type { OpsSync } from './ops_sync';
import type { OpsVolunteer } from './ops_volunteer';

export * from './ops_desk';
export * from './ops_sync';
export * from './ops_volunteer';

export interface Ops extends OpsVolunteer, OpsDesk, OpsSync {}
