// json-logic-engine: each rule compiled to a function (`build`), in a list for each owner and kind of change.
// JsonLogic compares null as 0, so that a comparison null would meet is asked after null.
import { LogicEngine } from 'json-logic-engine'
import { rulesByOwner, run, typeOf } from './harness.mjs'

const engine = new LogicEngine()
engine.addMethod('startsWith', ([text, start]) => text !== null && text.startsWith(start), { deterministic: true, sync: true })

function logic (node) {
  if (node.and) return { and: node.and.map(logic) }
  if (node.or) return { or: node.or.map(logic) }
  if (node.not) return { '!': logic(node.not) }
  const value = { var: node.field }
  if ('is' in node) return { '===': [value, node.is] }
  if ('oneOf' in node) return { in: [value, node.oneOf] }
  if ('startsWith' in node) return { startsWith: [value, node.startsWith] }
  if ('isBlank' in node) return { '===': [value, null] }
  if ('isTrue' in node) return value
  const compare = 'atLeast' in node ? { '>=': [value, node.atLeast] } : { '<=': [value, node.atMost] }
  const nullMeets = typeOf[node.field] === 'number' && (node.atLeast === 0 || 'atMost' in node)
  return nullMeets ? { and: [{ '!==': [value, null] }, compare] } : compare
}

const lists = new Map()
const shards = await rulesByOwner()
for (const [owner, rules] of shards) {
  const list = { create: [], update: [] }
  for (const rule of rules) {
    const entry = { rule: rule.rule, holds: engine.build(logic(rule.if)) }
    for (const kind of rule.on) list[kind].push(entry)
  }
  lists.set(owner, list)
  shards.set(owner, null)
}

await run('json-logic-engine', ({ kind, set }, found) => {
  const list = lists.get(lists.has(undefined) ? undefined : set.OwnerId)
  if (!list) return
  for (const { rule, holds } of list[kind]) if (holds(set)) found.push(rule)
})
