using System.Security.Cryptography;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F7: a damaged database is never "repaired" by starting over.</summary>
public sealed class DamagedDatabaseTests
{
    private const int PageSize = 4096;

    /// <summary>Ways in which disks and people damage files.</summary>
    public static TheoryData<string> Damages { get; } = ["cut to half", "first page overwritten", "pages overwritten", "bytes flipped", "emptied", "deleted"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_database_is_refused_with_a_sentence_and_left_as_it_is(string damage)
    {
        using var folder = new TemporaryFolder();
        var settings = new ServerSettings { DataDirectory = Path.Combine(folder.Path, "data") };
        string file;
        await using (var healthy = await ServerProcess.StartAsync(settings))
        {
            file = healthy.DatabaseFile;
            using var author = await Account.RegisterAsync(healthy, "author");
            for (var number = 0; number < 200; number++) await author.PostAsync($"post {number} {new string('x', 500)}");
            (await healthy.StopAsync()).ShouldBe(0);
        }

        Damage(file, damage);
        var before = Fingerprint(file);

        await using var server = ServerProcess.Create(settings);
        var refusal = await Should.ThrowAsync<ServerDidNotStartException>(server.StartAgainAsync);

        refusal.ExitCode.ShouldNotBe(0);
        refusal.Output.ShouldContain("tidings.db");
        refusal.Output.ShouldContain("backup", customMessage: "it says what to do");
        refusal.Output.ShouldNotContain("   at Tidings.", customMessage: "a sentence, not a stack trace");
        Fingerprint(file).ShouldBe(before, "the file is left as it is");
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused()
    {
        await using var first = await ServerProcess.StartAsync();
        await using var second = ServerProcess.Create(new ServerSettings { DataDirectory = first.DataDirectory });

        var refusal = await Should.ThrowAsync<ServerDidNotStartException>(second.StartAgainAsync);

        refusal.Output.ShouldContain("in use by another process");
        (await first.IsReadyAsync()).ShouldBeTrue();
    }

    private static void Damage(string file, string how)
    {
        if (how == "deleted")
        {
            File.Delete(file);
            return;
        }

        using var bytes = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        var chance = TestRun.Chance();
        switch (how)
        {
            case "emptied": bytes.SetLength(0); break;
            case "cut to half": bytes.SetLength(bytes.Length / 2 / PageSize * PageSize); break;
            case "first page overwritten": Overwrite(bytes, 0, PageSize, chance); break;
            case "pages overwritten":
                for (var page = bytes.Length / PageSize / 2; page < bytes.Length / PageSize; page += 3) Overwrite(bytes, page * PageSize, PageSize, chance);
                break;
            case "bytes flipped":
                // In the heads of pages: a flipped letter of somebody's text is not something that a database could know.
                for (var page = 1; page < bytes.Length / PageSize; page++) Overwrite(bytes, page * PageSize, 12, chance);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(how), how, null);
        }
    }

    private static void Overwrite(FileStream file, long at, int count, Random chance)
    {
        var noise = new byte[count];
        chance.NextBytes(noise);
        file.Position = at;
        file.Write(noise);
    }

    private static string Fingerprint(string file) => File.Exists(file) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))) : "none";
}
