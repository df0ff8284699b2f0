import type { Connection } from '@temporalio/client';
import { ConfigError } from '../config-error';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes';

/** `IndexedValueType` of Temporal's API. */
const TYPE_NUMBERS = { Keyword: 2, Datetime: 6, KeywordList: 7 } as const;

/**
 * Registers the attributes that the workflow publishes and the server lacks: one that the server does not know fails the
 * workflow task for ever.
 * @throws {ConfigError} with the commands to type, if this program may not register them (Temporal Cloud)
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  let missing = Object.entries(SEARCH_ATTRIBUTES);
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    missing = missing.filter(([name]) => !(name in customAttributes));
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, TYPE_NUMBERS[type]]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    if (await areKnown(connection, namespace)) return;
    const commands = missing.map(
      ([name, type]) =>
        `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
    );
    throw new ConfigError(
      `Search attributes are missing in namespace ${namespace}, and could not be registered from here (${(error as Error).message}). Register them, then start again:\n${commands.join('\n')}`,
    );
  }
}

/** For a server that may not be asked for the list: it refuses a filter that names an unknown attribute. */
async function areKnown({ workflowService }: Connection, namespace: string): Promise<boolean> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NULL`)
    .join(' AND ');
  return workflowService.countWorkflowExecutions({ namespace, query }).then(
    () => true,
    () => false,
  );
}
