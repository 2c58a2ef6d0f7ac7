/** A lesson: words, a setting to begin with, and a question that is answered by doing. */

import type { Result } from "../views/running";
import type { Setting } from "../views/setting";

export interface Answer {
  passed: boolean;
  words: string;
}

export interface Lesson {
  id: string;
  title: string;
  /** Paragraphs; `ticks` are code. */
  text: readonly string[];
  setting: Partial<Setting>;
  question: string;
  /** Looks at what the reader did; null while nothing has been done yet. */
  check: (result: Result, begun: Setting) => Answer | null;
  hint: string;
}
