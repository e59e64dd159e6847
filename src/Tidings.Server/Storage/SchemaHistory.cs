using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Storage;

/// <summary>The store cannot be opened; the message is a sentence that says what to do. The server does not start.</summary>
internal sealed class StorageStartException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One numbered step of the schema: an embedded file such as <c>0001_event_log.sql</c>.</summary>
internal sealed record Migration(int Version, string Name, string Sql)
{
    /// <summary>Tells whether the text was changed after it had been applied. Line ends don't count.</summary>
    public string Checksum => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>A step that a database has had.</summary>
internal sealed record AppliedMigration(int Version, string Name, string Checksum);

/// <summary>Compares the steps that a database has had with those that this build knows; each database applies them in its own way.</summary>
internal static class SchemaHistory
{
    /// <summary>The steps that are embedded from a folder of the storage, in order.</summary>
    public static IReadOnlyList<Migration> Embedded(string database)
    {
        var folder = $".Storage.{database}.Migrations.";
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            var start = resource.IndexOf(folder, StringComparison.Ordinal);
            if (start < 0) continue;

            var file = resource[(start + folder.Length)..];
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            found.Add(new Migration(int.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), Path.GetFileNameWithoutExtension(file)[5..], reader.ReadToEnd()));
        }

        found.Sort((left, right) => left.Version.CompareTo(right.Version));
        for (var index = 1; index < found.Count; index++)
            if (found[index].Version == found[index - 1].Version) throw new InvalidOperationException($"Two schema changes have the number {found[index].Version}.");
        return found;
    }

    /// <summary>Refuses a database whose past is not the beginning of what is known.</summary>
    /// <exception cref="StorageStartException">The database is of a newer build, or a step that it has was changed since.</exception>
    public static void Judge(IReadOnlyList<AppliedMigration> applied, IReadOnlyList<Migration> known)
    {
        for (var index = 0; index < applied.Count; index++)
        {
            var had = applied[index];
            if (index >= known.Count || known[index].Version > had.Version)
            {
                throw new StorageStartException(
                    $"The database has the schema change {had.Version} ({had.Name}), which this version of Tidings does not know. Start the version that made it, or a newer one.");
            }

            if (known[index].Version < had.Version)
            {
                throw new StorageStartException(
                    $"The schema change {known[index].Version} ({known[index].Name}) is missing in the database although a later one is there. "
                    + "Give it a number above all that were applied.");
            }

            if (known[index].Checksum != had.Checksum)
            {
                throw new StorageStartException(
                    $"The schema change {had.Version} ({had.Name}) is not what was applied to this database. Changes that have been applied are never edited: put the file back and add a new one.");
            }
        }
    }
}
