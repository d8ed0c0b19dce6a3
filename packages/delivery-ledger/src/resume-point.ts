/** Where a message that gave way to others goes on. */
export interface ResumePoint {
  /** Of each group, by its name: the index of its first recipient who has not had a turn. */
  indexes: ReadonlyMap<string, number>
  /** Some of those before wait without having been tried. */
  hasDeferred: boolean
}

/** The only group of a message whose recipients are not told apart has no name. */
export function formatResumePoint({ indexes, hasDeferred }: ResumePoint): string {
  const groups = [...indexes].map(([name, index]) => (name === '' ? String(index) : `${name}:${index}`))
  return [...groups, ...(hasDeferred ? ['deferred'] : [])].join(' ')
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
