namespace Tidings.Testing.Servers;

/// <summary>Where things are in the working copy that the tests were built in.</summary>
public static class Repository
{
    /// <summary>The folder of <c>Tidings.slnx</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The configuration that the tests were built with, and so the server beside them.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";

    /// <summary>The built server.</summary>
    public static string ServerBinary
    {
        get
        {
            var path = Path.Combine(Root, "src", "Tidings.Server", "bin", Configuration, "net10.0", "Tidings.Server.dll");
            return File.Exists(path) ? path : throw new FileNotFoundException($"Build the server first: there is no {path}.");
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Tidings.slnx"))) return folder.FullName;

        throw new DirectoryNotFoundException($"No Tidings.slnx above {AppContext.BaseDirectory}.");
    }
}
