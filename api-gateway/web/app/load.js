// Loading for a view: the newest request counts, older ones are cancelled, and what was shown stays until the new answer is there.
import { useCallback, useEffect, useRef, useState } from './preact.js';
import { token } from './api.js';

// Runs `load(signal)` whenever one of `inputs` or the token changes.
export function useLoad(load, inputs) {
  const [state, setState] = useState({ data: null, failure: null, loading: true });
  const [attempt, setAttempt] = useState(0);
  const current = token.use();
  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(controller.signal).then(
      (data) => controller.signal.aborted || setState({ data, failure: null, loading: false }),
      (failure) => controller.signal.aborted || setState((before) => ({ ...before, failure, loading: false })),
    );
    return () => controller.abort();
  }, [...inputs, attempt, current]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...state, retry };
}

// `value`, once it has not changed for `milliseconds`.
export function useDebounced(value, milliseconds) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

// A change that the person asks for: `run(...)` does it, `busy` while it is under way, `failure` when it did not work.
export function useAction(action) {
  const [state, setState] = useState({ busy: false, failure: null });
  const latest = useRef(action);
  latest.current = action;
  const last = useRef([]);
  const run = useCallback(async (...values) => {
    last.current = values;
    setState({ busy: true, failure: null });
    try {
      const result = await latest.current(...values);
      setState({ busy: false, failure: null });
      return result;
    } catch (failure) {
      setState({ busy: false, failure });
      return undefined;
    }
  }, []);
  const retry = useCallback(() => run(...last.current), [run]);
  return { ...state, run, retry };
}
