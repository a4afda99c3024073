// A value that several parts of the page show: whoever uses it is drawn anew when it changes.
import { useEffect, useState } from './preact.js';

export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === 'function' ? next(value) : next;
      listeners.forEach((listener) => listener(value));
    },
    use() {
      const [, redraw] = useState(0);
      useEffect(() => {
        const listener = () => redraw((count) => count + 1);
        listeners.add(listener);
        // It may have changed between drawing and this effect.
        listener();
        return () => listeners.delete(listener);
      }, []);
      return value;
    },
  };
}

// Private browsing may refuse storage; then the page forgets, and works.
export const storage = {
  read(area, key, fallback) {
    try {
      return JSON.parse(window[area].getItem(key)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  write(area, key, value) {
    try {
      window[area].setItem(key, JSON.stringify(value));
    } catch {
      // Nothing to do: see above.
    }
  },
};
