using System.Security.Cryptography;
using Tidings.Testing.Servers;

namespace Tidings.Fuzz;

/// <summary>The examples of a target: files in the repository. What has failed becomes one of them.</summary>
internal static class Corpus
{
    private static string Root => Path.Combine(Repository.Root, "tests", "Tidings.Fuzz", "Corpus");

    public static IReadOnlyList<byte[]> Of(Target target) =>
        BrokenTargets.List.Contains(target)
            ? ["{\"a\":[1]}"u8.ToArray()]
            : [.. Directory.GetFiles(Path.Combine(Root, target.Name)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <summary>Keeps an input that failed.</summary>
    /// <returns>Its file.</returns>
    public static string Keep(Target target, byte[] input)
    {
        var folder = BrokenTargets.List.Contains(target) ? Path.GetTempPath() : Path.Combine(Root, target.Name);
        var path = Path.Combine(folder, $"failed-{Convert.ToHexStringLower(SHA256.HashData(input))[..12]}");
        File.WriteAllBytes(path, input);
        return path;
    }
}
