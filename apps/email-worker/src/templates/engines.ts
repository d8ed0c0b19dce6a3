import { join } from 'node:path'
import { filters, Liquid } from 'liquidjs'
import { renderLimitMs } from './render-in-time.js'

export interface Engines {
  /** Escapes what it outputs. */
  html: Liquid
  /** For subject and text, where an escaped `&` would be seen as such. */
  text: Liquid
}

/**
 * The two LiquidJS engines over one directory. Both are strict: a variable or filter that does not exist is an error,
 * not an empty text. Files are confined to the directory by their real path, symbolic links included.
 */
export function createEngines(directory: string): Engines {
  const layouts = join(directory, '_layouts')
  const options = {
    root: directory,
    layouts,
    // The static analysis of a `layout` tag looks for its file among the partials.
    partials: [join(directory, '_partials'), layouts],
    extname: '.liquid',
    cache: true,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    // So that a date reads the same on every machine.
    locale: 'en-US',
    timezoneOffset: 0,
    parseLimit: 1_000_000,
    renderLimit: renderLimitMs,
    memoryLimit: 10_000_000,
  }
  const engines = { html: new Liquid({ ...options, outputEscape: 'escape' }), text: new Liquid(options) }
  for (const engine of Object.values(engines)) {
    for (const filter of refusedFilters) engine.unregisterFilter(filter)
  }
  engines.html.registerFilter(lineBreakFilter, { raw: true, handler: toLineBreaks })
  engines.text.unregisterFilter(lineBreakFilter)
  return engines
}

/** Of HTML only: Outlook knows no `white-space`, and shows lines as one. */
export const lineBreakFilter = 'newline_to_br'

const escapeHtml = filters.escape as (this: unknown, value: unknown) => string

/** Escapes by itself, because `raw`, with which it is registered, keeps the engine from escaping the tags. */
function toLineBreaks(this: unknown, value: unknown): string {
  return escapeHtml.call(this, value).replace(/\r\n|[\n\r\u0085\u2028\u2029]/g, '<br>\n')
}

/** `raw` would let data write HTML; `strip_html` is slow on hostile data and no protection. */
const refusedFilters = ['raw', 'strip_html']
