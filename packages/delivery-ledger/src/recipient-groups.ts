/** Recipients of one message who wait for each other, and for nobody else. */
export interface RecipientGroup {
  name: string
  /** In the order of the message. */
  recipients: readonly string[]
}

/** One group without a name, unless the recipients are told apart. */
export function splitIntoGroups(recipients: readonly string[], groupOf = (_recipient: string) => ''): RecipientGroup[] {
  const byName = new Map<string, string[]>()
  for (const recipient of recipients) {
    const name = groupOf(recipient)
    const group = byName.get(name)
    if (group) group.push(recipient)
    else byName.set(name, [recipient])
  }
  return [...byName].map(([name, own]) => ({ name, recipients: own }))
}
