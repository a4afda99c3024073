// Rows that glide to their new places, for who does not mind motion.
import { useLayoutEffect, useRef } from './preact.js';

const calm = matchMedia('(prefers-reduced-motion: reduce)');

// `ref` of a list whose children have the attribute `data-key`; they glide whenever `order` changes.
export function useReorder(order) {
  const list = useRef(null);
  const tops = useRef(new Map());
  useLayoutEffect(() => {
    if (!list.current) return;
    const now = new Map();
    for (const row of list.current.children) {
      const { key } = row.dataset;
      const top = row.offsetTop;
      now.set(key, top);
      const before = tops.current.get(key);
      if (calm.matches || tops.current.size === 0) continue;
      if (before === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 300 });
      else if (before !== top)
        row.animate([{ transform: `translateY(${before - top}px)` }, { transform: 'none' }], {
          duration: 350,
          easing: 'ease-out',
        });
    }
    tops.current = now;
  }, [order]);
  return list;
}
