/** Leave out what is not there: the protocol has optional keys, not nulls. */
export function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null));
}
