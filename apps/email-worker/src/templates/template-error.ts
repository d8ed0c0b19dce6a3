/** Why a template cannot be used. */
export interface TemplateFault {
  /** Relative to the templates directory, with line and column if they are known: `welcome/html.liquid:3:12`. */
  file: string
  /** The variable that it is about, as the template writes it. */
  variable?: string
  reason: string
}

/** The templates cannot be used; nothing was started. `message` is a readable list of every fault. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly code = 'INVALID_TEMPLATES'
  readonly faults: readonly TemplateFault[]

  constructor(directory: string, faults: readonly TemplateFault[]) {
    const lines = faults.map(({ file, reason }) => `  ${file}: ${reason}`)
    const count = `${faults.length} fault${faults.length === 1 ? '' : 's'}`
    super([`The templates in ${directory} have ${count}:`, ...lines].join('\n'))
    this.faults = faults
  }
}
