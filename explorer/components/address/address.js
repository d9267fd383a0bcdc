// Sets query parameters of the address, without a new entry in the history.

export default function ({ data }) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(data)) url.searchParams.set(name, value);
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}
