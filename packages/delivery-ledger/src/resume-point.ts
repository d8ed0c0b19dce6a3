/** Where a message that gave way to others goes on. */
export interface ResumePoint {
  /** Of each lane, by its name: the index of its first recipient who has not had a turn. */
  indexes: ReadonlyMap<string, number>
  /** Some of those before wait without having been tried. */
  hasDeferred: boolean
}

/** The only lane of a message whose recipients are not told apart has no name. */
export function formatResumePoint({ indexes, hasDeferred }: ResumePoint): string {
  const lanes = [...indexes].map(([name, index]) => (name === '' ? String(index) : `${name}:${index}`))
  return [...lanes, ...(hasDeferred ? ['deferred'] : [])].join(' ')
}

/** The beginning, if there is none or it cannot be read. */
export function parseResumePoint(text: string | undefined): ResumePoint {
  const [, lanes, deferred] = /^(\d{1,6}|[\w-]+:\d{1,6}(?: [\w-]+:\d{1,6})*)( deferred)?$/.exec(text ?? '') ?? []
  if (lanes === undefined) return { indexes: new Map(), hasDeferred: false }
  return { indexes: new Map(lanes.split(' ').map(parseLane)), hasDeferred: deferred !== undefined }
}

function parseLane(text: string): [string, number] {
  const [index = '', name = ''] = text.split(':').toReversed()
  return [name, Number(index)]
}
