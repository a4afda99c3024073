// Numbers, dates and codes in words.
const number = new Intl.NumberFormat('en');
const languages = typeof Intl.DisplayNames === 'function' ? new Intl.DisplayNames(['en'], { type: 'language' }) : null;

export const count = (value, one, many = `${one}s`) => `${number.format(value)} ${value === 1 ? one : many}`;
export const yearOf = (movie) => (movie.release_date || '').slice(0, 4);

export function language(code) {
  try {
    return (code && languages?.of(code)) || code;
  } catch {
    return code;
  }
}

export function duration(minutes) {
  if (!minutes) return '';
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

export function ago(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

export function listOf(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
