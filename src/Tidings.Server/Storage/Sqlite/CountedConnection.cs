using Microsoft.Data.Sqlite;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>A connection that counts the commands made on it, which with Dapper are the statements that it runs. Belongs to one thread at a time.</summary>
internal sealed class CountedConnection(string connectionString) : SqliteConnection(connectionString)
{
    public long Commands { get; private set; }

    public override SqliteCommand CreateCommand()
    {
        Commands++;
        return base.CreateCommand();
    }
}
