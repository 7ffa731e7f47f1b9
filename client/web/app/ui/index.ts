/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ui: the parts every screen is made of.
 *
 *	Page          a screen: title, way back, quick exit, feet           page.tsx
 *	Button        primary, plain, quiet, danger; busy by itself         basics.tsx
 *	Card Banner List Row Badge Progress Empty Waiting Words More Spinner
 *	Field SecretField Choices Select Switch FileButton Frame Fault      fields.tsx
 *	Dialog Confirm                                                      dialog.tsx
 *	Icon          a drawing, never alone                                icon.tsx
 *	say           a sentence for screen readers                         live.ts
 *	ErrorBanner useFault   what went wrong, from a CoreError            fault.tsx
 *
 * Measures and colours are custom properties in amparo.css (--space, --text, --accent …);
 * a part's own style goes into a file of its own there.  style="" does not work (CSP); the
 * style property of Preact does, for measures that are computed.
 */
export { Badge, Banner, Button, Card, Empty, List, More, Progress, Row, Spinner, Waiting, Words,
	type ButtonProps } from './basics';
export { Confirm, Dialog } from './dialog';
export { ErrorBanner, errorSentence, useFault } from './fault';
export { Choices, Fault, Field, FileButton, Frame, NO_HELP, SecretField, Select, Switch,
	type FieldProps, type FrameProps, type Option } from './fields';
export { Icon, type IconName } from './icon';
export { hush, makeLive, say } from './live';
export { Page, type PageProps } from './page';
