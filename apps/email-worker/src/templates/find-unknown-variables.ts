import type { Liquid, Template, Variable } from 'liquidjs'
import type { SchemaViewer } from './schema-view.js'
import { type ObjectSchema, providedVariable, type TemplateSchema } from './template-schema.js'

/**
 * The variables that a template takes from its data, through layout and partials, and that the schema does not have.
 * Properties are followed as far as the schema describes them; those of a loop's variable are not, only rendering the
 * examples shows them.
 *
 * @throws whatever LiquidJS throws if a layout or partial cannot be found or parsed
 */
export function findUnknownVariables(engine: Liquid, template: Template[], { root, view }: TemplateSchema): Variable[] {
  const { globals } = engine.analyzeSync(template)
  return Object.values(globals)
    .flat()
    .filter(({ segments }) => segments[0] !== providedVariable && !isKnown(view, [root], segments, { isRoot: true }))
}

function isKnown(
  view: SchemaViewer,
  schemas: readonly ObjectSchema[],
  [segment, ...rest]: Variable['segments'],
  { isRoot = false } = {},
): boolean {
  if (segment === undefined) return true
  // A computed name, such as `prices[currency]`.
  if (typeof segment === 'object') return true
  const { properties, items, types } = view(schemas)
  if (items.length > 0) {
    if (segment === 'size') return rest.length === 0
    if (typeof segment === 'number' || segment === 'first' || segment === 'last') return isKnown(view, items, rest)
  }
  // The schema says no more about it, so anything may be there.
  if (properties.size === 0 && items.length === 0 && !isRoot) {
    return types.size === 0 || types.has('object') || (types.has('string') && segment === 'size')
  }
  const property = properties.get(String(segment))
  return property !== undefined && isKnown(view, property, rest)
}
