// Starts Neo4j Community where the server's own jars bring no main class (since 2026). By reflection, so that it compiles
// without those jars, for a Java older than theirs.
public final class StartCommunity {
  public static void main(String[] arguments) throws Exception {
    Object community = Class.forName("org.neo4j.server.CommunityBootstrapper").getDeclaredConstructor().newInstance();
    Object code = Class.forName("org.neo4j.server.NeoBootstrapper")
        .getMethod("start", Class.forName("org.neo4j.server.Bootstrapper"), String[].class)
        .invoke(null, community, arguments);
    if (!code.equals(0)) System.exit((Integer) code);
  }
}
