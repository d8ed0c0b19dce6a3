import { join } from 'node:path'
import { Liquid } from 'liquidjs'
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
  return engines
}

/** `raw` would let data write HTML; `strip_html` is slow on hostile data and no protection. */
const refusedFilters = ['raw', 'strip_html']
