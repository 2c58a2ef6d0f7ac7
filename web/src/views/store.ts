/** The one place that holds the setting; who wants to know of changes says so. */

import { settingText, type Setting } from "./setting";

type Listener = (setting: Setting, before: Setting) => void;

const MOST_UNDO = 200;

export class Store {
  private past: Setting[] = [];
  private future: Setting[] = [];
  private readonly listeners = new Set<Listener>();
  private lastLabel = "";

  constructor(
    private now: Setting,
    readonly first: Setting = now,
  ) {}

  get setting(): Setting {
    return this.now;
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A change that can be undone; changes of one label in a row (a drag, a word typed) are undone together. */
  change(patch: Partial<Setting>, label: string): void {
    if (label !== this.lastLabel) {
      this.past.push(this.now);
      if (this.past.length > MOST_UNDO) this.past.shift();
    }
    this.lastLabel = label;
    this.future = [];
    this.put({ ...this.now, ...patch });
  }

  /** A change that is looking, not doing: another step, another coordinate. */
  look(patch: Partial<Setting>): void {
    this.put({ ...this.now, ...patch });
  }

  /** Ends a row of changes, so that the next one is undone alone. */
  settle(): void {
    this.lastLabel = "";
  }

  undo(): void {
    const before = this.past.pop();
    if (!before) return;
    this.future.push(this.now);
    this.lastLabel = "";
    this.put(before);
  }

  redo(): void {
    const after = this.future.pop();
    if (!after) return;
    this.past.push(this.now);
    this.lastLabel = "";
    this.put(after);
  }

  reset(): void {
    this.change(this.first, "reset");
    this.settle();
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  private put(next: Setting): void {
    const before = this.now;
    this.now = next;
    for (const listener of this.listeners) listener(next, before);
  }
}

/** The setting in the address: base64 of JSON, so that a link needs no server. */
export function linkOf(setting: Setting): string {
  const bytes = new TextEncoder().encode(settingText(setting));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `#${btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
}

export function dataOfLink(hash: string): unknown {
  if (hash.length < 2 || hash.length > 400_000) return null;
  try {
    const binary = atob(hash.slice(1).replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (each) => each.charCodeAt(0))));
  } catch {
    return null;
  }
}
