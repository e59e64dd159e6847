using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What the host reads from its files: rows of the log and settings.</summary>
internal static class HostTargets
{
    private const int Columns = 11;

    private static readonly Lazy<Statement> Row = new(static () =>
    {
        var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        return new Statement(connection.Handle!, $"SELECT {string.Join(',', Enumerable.Range(1, Columns).Select(static number => $"?{number}"))}");
    });

    private static readonly EventRows Rows = new(new LogPositions(1), NullLogger<EventRows>.Instance);

    public static IReadOnlyList<Target> List { get; } =
    [
        new("event-row", ["\0", "#1", "#2", "#3", "#-1", "#99999999999999999", "-", "{}", "post:7", "{\"a\":1}", "\n", "é"], ReadRow),
        new("settings", ["\n", "=", "Tidings:", "Auth:", "Limits:", "Channels:", "room:", "true", "00:00:01", "http://", "http://[::1]", "127.0.0.0/8", "/129", "-1", "owner"], Settings),
    ];

    /// <summary>The columns, split at NUL: <c>#</c> and a number, <c>-</c> for NULL, otherwise bytes.</summary>
    private static void ReadRow(byte[] input)
    {
        var row = Row.Value;
        var fields = Split(input);
        for (var index = 0; index < Columns; index++)
        {
            var field = index < fields.Count ? fields[index] : [];
            if (field.AsSpan().SequenceEqual("-"u8)) row.BindNull(index + 1);
            else if (field is [(byte)'#', .. var digits] && long.TryParse(Encoding.ASCII.GetString(digits), CultureInfo.InvariantCulture, out var number)) row.Bind(index + 1, number);
            else row.BindBytes(index + 1, field);
        }

        try
        {
            Unless(row.Step(), "no row");
            var publication = Rows.Read(row, new ChannelName("post", "7"), 5);
            Unless(publication.IsTombstone || publication.Draft.Id.Length > 0, "an event without an id");
            Unless(publication.Draft.Payload.Span.IndexOfAny((byte)'\r', (byte)'\n') < 0, "a payload of two lines");
        }
        finally
        {
            row.Reset();
        }
    }

    /// <summary>Lines of <c>key=value</c>.</summary>
    private static void Settings(byte[] input)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Encoding.UTF8.GetString(input).Split('\n'))
            if (line.Split('=', 2) is [var key, var value]) settings[key] = value;

        try
        {
            _ = OptionsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        }
        catch (StartRefusedException)
        {
            // Declared.
        }
    }

    private static List<byte[]> Split(byte[] input)
    {
        var fields = new List<byte[]>();
        foreach (var range in input.AsSpan().Split((byte)0)) fields.Add(input[range]);
        return fields;
    }
}
