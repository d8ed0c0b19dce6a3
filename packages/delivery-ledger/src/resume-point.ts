/** Where a message that gave way to others goes on. */
export interface ResumePoint {
  /** Of each group, by its name: the index of its first recipient who has not had a turn. */
  indexes: ReadonlyMap<string, number>
  /** Some of those before wait without having been tried. */
  hasDeferred: boolean
}

/** The header that keeps it has room for so many characters. */
const maxLength = 64

/**
 * The only group of a message whose recipients are not told apart has no name. Of more groups than there is room for, those
 * are left out that have come least far: they begin anew, and the ledger knows whom of them it has served.
 */
export function formatResumePoint({ indexes, hasDeferred }: ResumePoint): string {
  const byIndex = [...indexes].toSorted(([, a], [, b]) => b - a)
  const groups = byIndex.map(([name, index]) => (name === '' ? String(index) : `${name}:${index}`))
  const suffix = hasDeferred ? ['deferred'] : []
  while ([...groups, ...suffix].join(' ').length > maxLength) groups.pop()
  return [...groups, ...suffix].join(' ')
}

/** The beginning, if there is none or it cannot be read. */
export function parseResumePoint(text: string | undefined): ResumePoint {
  const [, groups, deferred] = /^(\d{1,6}|[\w-]+:\d{1,6}(?: [\w-]+:\d{1,6})*)( deferred)?$/.exec(text ?? '') ?? []
  if (groups === undefined) return { indexes: new Map(), hasDeferred: false }
  return { indexes: new Map(groups.split(' ').map(parseGroup)), hasDeferred: deferred !== undefined }
}

function parseGroup(text: string): [string, number] {
  const [index = '', name = ''] = text.split(':').toReversed()
  return [name, Number(index)]
}
