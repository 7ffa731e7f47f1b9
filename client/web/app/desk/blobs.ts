/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * blobs: addresses of photographs that are on the screen.  A blob address keeps its bytes alive and
 * readable to the page until it is revoked, so each has one owner here, and locking revokes
 * whatever a screen left behind.
 */

const live = new Set<string>();

export function blobUrl(bytes: Uint8Array, media: string): string {
	const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: media }));
	live.add(url);
	return url;
}

export function dropUrl(url: string): void {
	if (live.delete(url)) URL.revokeObjectURL(url);
}

export function dropAllUrls(): void {
	for (const url of [...live]) dropUrl(url);
}

/* for the test that nothing is left */
export function liveUrls(): number {
	return live.size;
}

/* Hand bytes to the person as a file.  The address lives until the browser has taken it: it
 * asks for it in a task of its own, after which a minute is plenty. */
export function saveFile(name: string, parts: readonly Uint8Array[], media: string): void {
	const url = URL.createObjectURL(new Blob([...parts] as BlobPart[], { type: media }));
	const a = document.createElement('a');
	live.add(url);
	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => dropUrl(url), 60_000);
}
