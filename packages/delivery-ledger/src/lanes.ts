/** Recipients of one message who wait for each other, and for nobody else. */
export interface Lane {
  name: string
  /** In the order of the message. */
  recipients: readonly string[]
}

/** One lane without a name, unless the recipients are told apart. */
export function splitIntoLanes(recipients: readonly string[], laneOf = (_recipient: string) => ''): Lane[] {
  const byName = new Map<string, string[]>()
  for (const recipient of recipients) {
    const name = laneOf(recipient)
    const lane = byName.get(name)
    if (lane) lane.push(recipient)
    else byName.set(name, [recipient])
  }
  return [...byName].map(([name, own]) => ({ name, recipients: own }))
}
