import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PermanentError, RetryableError } from '@mono/message-queue'
import { createEngines } from './engines.js'
import { findDataFaults } from './find-data-faults.js'
import { leaveOutNulls } from './leave-out-nulls.js'
import { type LoadedTemplate, loadTemplate, type Parts } from './load-template.js'
import { TemplateError, type TemplateFault } from './template-error.js'
import { toLiquidFault } from './to-liquid-fault.js'

export interface TemplateStore {
  /** In the order of the alphabet. */
  readonly names: readonly string[]
  /**
   * @throws PermanentError UNKNOWN_TEMPLATE if there is no template of this name
   * @throws PermanentError INVALID_TEMPLATE_DATA if the data does not fit its schema; the message has every path
   * @throws RetryableError HANDLER_TIMEOUT if the process stood still meanwhile
   */
  render(name: string, content: { subject: string; data: Record<string, unknown> }): Parts<string>
}

const namePattern = /^[a-z0-9-]{1,64}$/

/**
 * Loads every template of a directory: one folder each with `subject.liquid`, `html.liquid`, `text.liquid` and
 * `schema.json`. Folders that begin with `_` hold layouts and partials. Nothing is read from disk afterwards.
 *
 * @throws TemplateError with every fault found
 */
export function loadTemplates(directory: string): TemplateStore {
  const templates = new Map<string, LoadedTemplate>()
  const faults: TemplateFault[] = []
  for (const [name, loaded] of loadAll(directory)) {
    if (Array.isArray(loaded)) faults.push(...loaded)
    else templates.set(name, loaded)
  }
  if (faults.length > 0) throw new TemplateError(directory, faults)

  return {
    names: [...templates.keys()],
    render(name, { subject, data }) {
      const template = templates.get(name)
      if (template === undefined) {
        const known = [...templates.keys()].join(', ')
        throw new PermanentError(`There is no template ${JSON.stringify(name)}; there are ${known}`, {
          code: 'UNKNOWN_TEMPLATE',
        })
      }
      const fitting = leaveOutNulls(template.schema.view, [template.schema.root], data)
      const misfits = findDataFaults(template.schema.validate, fitting)
      if (misfits.length > 0) throw createDataError(name, misfits)
      try {
        return template.render(subject, fitting)
      } catch (error) {
        if (error instanceof RetryableError) throw error
        const { file, reason } = toLiquidFault(error, { directory, file: name })
        throw createDataError(name, [`${reason} (${file})`], error)
      }
    },
  }
}

function* loadAll(directory: string): Generator<[string, LoadedTemplate | TemplateFault[]]> {
  let root: string
  let names: string[]
  try {
    root = realpathSync(directory)
    names = readdirSync(root).filter((name) => isFolder(join(root, name)) && !/^[_.]/.test(name))
  } catch (error) {
    const reason = `expected a directory with templates (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`
    yield ['', [{ file: directory, reason }]]
    return
  }
  if (names.length === 0) yield ['', [{ file: directory, reason: 'expected a folder for each template, found none' }]]
  const engines = createEngines(root)
  for (const name of names.sort()) {
    if (namePattern.test(name)) yield [name, loadTemplate({ directory: root, name, engines })]
    else yield [name, [{ file: name, reason: 'expected a name of 1 to 64 characters of a-z, 0-9 and -' }]]
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function createDataError(name: string, misfits: string[], cause?: unknown): PermanentError {
  return new PermanentError(`The data does not fit the template ${name}: ${misfits.join('; ')}`, {
    code: 'INVALID_TEMPLATE_DATA',
    ...(cause === undefined ? {} : { cause }),
  })
}
