import { readFileSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { Liquid, Template } from 'liquidjs'
import type { Engines } from './engines.js'
import { fillOptional } from './fill-optional.js'
import { findDataFaults } from './find-data-faults.js'
import { findDoubleEscapes } from './find-double-escapes.js'
import { findUnknownVariables } from './find-unknown-variables.js'
import { renderInTime } from './render-in-time.js'
import type { TemplateFault } from './template-error.js'
import { parseTemplateSchema, providedVariable, type TemplateSchema } from './template-schema.js'
import { toLiquidFault } from './to-liquid-fault.js'

/** The three texts of a mail, as templates or rendered. */
export interface Parts<T> {
  subject: T
  html: T
  text: T
}

export interface LoadedTemplate {
  schema: TemplateSchema
  /** @throws LiquidJS's error if a variable is not there, or a limit is passed; RetryableError as `renderInTime` does */
  render(subject: string, data: unknown): Parts<string>
}

export interface LoadTemplateOptions {
  /** The templates directory, its real path. */
  directory: string
  name: string
  engines: Engines
}

/** Loads one template and checks it against its schema; with any fault there is no template. */
export function loadTemplate({ directory, name, engines }: LoadTemplateOptions): LoadedTemplate | TemplateFault[] {
  const faults: TemplateFault[] = []
  const attempt = <T>(file: string, make: () => T): T | undefined => {
    try {
      return make()
    } catch (error) {
      faults.push(toLiquidFault(error, { directory, file: `${name}/${file}` }))
      return undefined
    }
  }
  const parse = (engine: Liquid, part: string) =>
    attempt(`${part}.liquid`, () => {
      assertConfined(directory, join(directory, name, `${part}.liquid`))
      return engine.parseFileSync(`${name}/${part}`)
    })

  const schema = attempt('schema.json', () => parseTemplateSchema(readConfined(directory, join(name, 'schema.json'))))
  const subject = parse(engines.text, 'subject')
  const html = parse(engines.html, 'html')
  const text = parse(engines.text, 'text')
  if (!schema || !subject || !html || !text) return faults

  const check = (engine: Liquid, part: string, template: Template[]) =>
    attempt(`${part}.liquid`, () => {
      for (const variable of findUnknownVariables(engine, template, schema)) {
        const { file = join(directory, name, part), row, col } = variable.location
        faults.push({
          file: `${relative(directory, file)}:${row}:${col}`,
          variable: String(variable),
          reason: `uses the variable "${variable}", which ${name}/schema.json does not have`,
        })
      }
    })
  attempt('html.liquid', () => {
    for (const { token, reason } of findDoubleEscapes(html)) {
      const { file = join(directory, name, 'html') } = token
      faults.push({ file: [relative(directory, file), ...token.getPosition()].join(':'), reason })
    }
  })
  check(engines.text, 'subject', subject)
  check(engines.html, 'html', html)
  check(engines.text, 'text', text)
  if (faults.length > 0) return faults

  const loaded: LoadedTemplate = {
    schema,
    render(messageSubject, data) {
      const scope = {
        ...(fillOptional(schema.view, [schema.root], data) as object),
        [providedVariable]: messageSubject,
      }
      return {
        subject: renderInTime(() => engines.text.renderSync(subject, scope)),
        html: renderInTime(() => engines.html.renderSync(html, scope)),
        text: renderInTime(() => engines.text.renderSync(text, scope)),
      }
    },
  }
  faults.push(...findExampleFaults(loaded, { directory, name }))
  return faults.length > 0 ? faults : loaded
}

/** Each example must fit the schema and render. */
function findExampleFaults(
  { schema, render }: LoadedTemplate,
  { directory, name }: { directory: string; name: string },
): TemplateFault[] {
  const file = `${name}/schema.json`
  const faults: TemplateFault[] = []
  for (const [index, example] of schema.examples.entries()) {
    const misfits = findDataFaults(schema.validate, example)
    if (misfits.length > 0) {
      faults.push({ file, reason: `examples[${index}] does not fit the schema: ${misfits.join('; ')}` })
      continue
    }
    try {
      render('', example)
    } catch (error) {
      faults.push(toLiquidFault(error, { directory, file: `${name} with examples[${index}]` }))
    }
  }
  return faults
}

function readConfined(directory: string, path: string): string {
  const full = join(directory, path)
  assertConfined(directory, full)
  return readFileSync(full, 'utf8')
}

/** @throws Error if the file, links resolved, is not below the directory */
function assertConfined(directory: string, path: string): void {
  if (!realpathSync(path).startsWith(`${directory}${sep}`)) {
    throw new Error('is a link to a file outside the templates directory')
  }
}
