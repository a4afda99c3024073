// What the page uses of the library.
export {
  Component,
  html,
  render,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from './vendor/htm-preact.js';
