/** Where a message that gave way to others goes on. */
export interface ResumePoint {
  /** Of the first recipient who has not had a turn. */
  index: number
  /** Some of those before wait without having been tried. */
  hasDeferred: boolean
}

const beginning: ResumePoint = { index: 0, hasDeferred: false }

export function formatResumePoint({ index, hasDeferred }: ResumePoint): string {
  return hasDeferred ? `${index} deferred` : String(index)
}

/** The beginning, if there is none or it cannot be read. */
export function parseResumePoint(text: string | undefined): ResumePoint {
  const [, index, deferred] = /^(\d{1,6})( deferred)?$/.exec(text ?? '') ?? []
  return index === undefined ? beginning : { index: Number(index), hasDeferred: deferred !== undefined }
}
