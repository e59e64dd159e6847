using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tidings.Server.Host;

/// <summary>
/// <c>secrets.json</c> in the data directory: made on first start, readable by its owner alone from the first byte on, and never changed or
/// "repaired" afterwards, because every token and signature depends on it.
/// </summary>
internal static class SecretsFile
{
    public const string Name = "secrets.json";

    private const int MaxBytes = 16 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, AllowDuplicateProperties = false };

    /// <summary>What the file holds.</summary>
    internal sealed class Content
    {
        public string AuthSecret { get; init; } = "";

        public string AppKey { get; init; } = "";

        public string AppSecret { get; init; } = "";
    }

    /// <summary>Makes the data directory, for its owner alone, if it is not there.</summary>
    /// <exception cref="StartRefusedException">It cannot be made.</exception>
    public static void PrepareDirectory(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(directory, exception);
        }
    }

    /// <summary>Reads the file, or makes it. Two processes that start at once end up with the same secrets.</summary>
    /// <exception cref="StartRefusedException">The file is damaged or out of reach.</exception>
    public static Content ReadOrCreate(string directory, Action<string> warn)
    {
        PrepareDirectory(directory);
        var path = Path.Combine(directory, Name);
        try
        {
            if (!File.Exists(path)) Create(directory, path);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None)
                warn($"{path} can be read by others: run chmod 600 on it, and replace the secrets if somebody may have seen them.");
            return Read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(directory, exception);
        }
    }

    private static void Create(string directory, string path)
    {
        var content = new Content { AuthSecret = Random(48), AppKey = RandomNumberGenerator.GetHexString(20, lowercase: true), AppSecret = Random(48) };
        var temporary = Path.Combine(directory, $".{Name}.{RandomNumberGenerator.GetHexString(16)}");
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) how.UnixCreateMode = OwnerOnly;

        try
        {
            using (var file = new FileStream(temporary, how))
            {
                JsonSerializer.Serialize(file, content, Json);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster; its secrets count.
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static Content Read(string path)
    {
        try
        {
            var bytes = new FileInfo(path).Length <= MaxBytes ? File.ReadAllBytes(path) : [];
            if (JsonSerializer.Deserialize<Content>(bytes, Json) is { } content && IsWhole(content)) return content;
        }
        catch (JsonException)
        {
            // Told below, without what is in it.
        }

        throw new StartRefusedException(
            $"{path} is damaged: restore it from a backup, or delete it to have new secrets made, which signs everybody out and changes the app's key pair.");
    }

    private static bool IsWhole(Content content) =>
        WeakSecrets.ProblemOf(content.AuthSecret) is null && WeakSecrets.ProblemOf(content.AppSecret) is null && content.AppKey.Length > 0;

    private static StartRefusedException Unusable(string directory, Exception exception) => new(
        $"The data directory {directory} cannot be used ({exception.Message.TrimEnd('.')}): " +
        "make it readable and writable for this user or set Tidings:DataDirectory.");

    private static string Random(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));
}
