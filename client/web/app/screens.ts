/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* screens: which component shows which screen of nav.ts. */
import type { ScreenMap } from './nav';
import { Desk } from './desk/desk';
import { Fill } from './form/fill';
import { Slip } from './form/slip';
import { DeskWordsScreen } from './volunteer/compare';
import { Home } from './volunteer/home';
import { OutboxScreen } from './volunteer/outbox';
import { About, PassphraseScreen, Settings } from './volunteer/settings';

export const SCREENS: ScreenMap = {
	home: Home,
	outbox: OutboxScreen,
	settings: Settings,
	about: About,
	passphrase: PassphraseScreen,
	desk: Desk,
	desk_words: DeskWordsScreen,
	fill: Fill,
	slip: Slip,
};
