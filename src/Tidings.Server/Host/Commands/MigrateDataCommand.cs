using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;

namespace Tidings.Server.Host.Commands;

/// <summary>
/// <c>migrate-data</c>: moves the SQLite installation in <c>Tidings:DataDirectory</c> to the empty database in <c>Tidings:Database</c>. The
/// server must be stopped; the SQLite file stays as it is.
/// </summary>
internal static class MigrateDataCommand
{
    public static Command Command { get; } = new("migrate-data", "", "moves the SQLite data to Tidings:Database", RunAsync);

    private static async Task<int> RunAsync(CommandContext context)
    {
        _ = new CommandArguments(context.Arguments);
        var options = OptionsReader.Read(context.Configuration);
        if (options.Database is not { } database) throw new StartRefusedException("Tidings:Database must name the PostgreSQL database to move the data to.");

        try
        {
            await context.Errors.WriteLineAsync($"Moving the data in {options.DataDirectory} to {new PostgresConnection(database).Name} ...");
            foreach (var (table, rows) in await DataMigration.RunAsync(options.DataDirectory, database, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None))
                await context.Output.WriteLineAsync($"{table}: {rows}");
            await context.Errors.WriteLineAsync("Everything is there. Start the server with Tidings:Database; positions that clients hold are answered with recovered:false.");
            return 0;
        }
        catch (Exception exception) when (exception is StorageStartException or NpgsqlException)
        {
            throw new StartRefusedException($"{exception.Message} Nothing was moved.");
        }
    }
}
