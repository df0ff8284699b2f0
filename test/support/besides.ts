import { Api } from './api';
import { World, type WorldOptions } from './world';

/** Opens further worlds, and APIs over them, beside those of a file; they are closed after the test that opened them. */
export function besides() {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });
  const another = async (options: WorldOptions = {}): Promise<World> => {
    const world = await World.start(options);
    opened.push(world);
    return world;
  };
  const apiOf = async (world: World): Promise<Api> => {
    const api = await Api.start(world);
    opened.push(api);
    return api;
  };
  return { another, apiOf };
}
