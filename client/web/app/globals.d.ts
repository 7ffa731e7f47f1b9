/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What build.mjs puts in. */

declare const AMPARO_VERSION: string;

/* the bundled app/worker.ts */
declare module 'amparo:worker' {
	const text: string;
	export default text;
}

/* the core, base64; empty if the page was built without it */
declare module 'amparo:wasm' {
	const base64: string;
	export default base64;
}

/* Trusted Types: not in TypeScript's own library yet */
interface TrustedScriptURL { readonly __trusted: unique symbol }
interface TrustedTypePolicy { createScriptURL(text: string): TrustedScriptURL }
interface Window {
	trustedTypes?: {
		createPolicy(name: string, rules: { createScriptURL(text: string): string }): TrustedTypePolicy;
	};
}
