/** The page in a notebook: an anywidget, whose `value` goes back to Python. */

import { parse, trace } from "../api";
import { Page } from "../views/page";
import { settingText } from "../views/setting";
import { givenOf } from "./given";

interface Model {
  get: (name: string) => unknown;
  set: (name: string, value: unknown) => void;
  save_changes: () => void;
}

const SETTLED_MS = 150;

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = document.createElement("div");
  el.append(root);
  root.classList.add("mhat-widget");
  const page = new Page(root, givenOf(model.get("given")), { nonce: null, page: null, address: false });
  (window as unknown as { mhat: unknown }).mhat ??= { parse, trace };
  let waiting: ReturnType<typeof setTimeout> | null = null;
  const tell = (): void => {
    model.set("value", JSON.parse(settingText(page.store.setting)));
    model.save_changes();
  };
  const unsubscribe = page.store.subscribe(() => {
    if (waiting) clearTimeout(waiting);
    waiting = setTimeout(tell, SETTLED_MS);
  });
  tell();
  return () => {
    unsubscribe();
    if (waiting) clearTimeout(waiting);
    page.destroy();
  };
}

export default { render };
