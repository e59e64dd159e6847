namespace Tidings.Bench.Hosting;

/// <summary>Where the sources are: the server's build is found from there, and results are written there.</summary>
internal static class Repository
{
    internal static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Tidings.slnx")))
                return folder.FullName;
        }

        throw new BenchException("The benchmark must be run from a build inside the repository.");
    }
}
