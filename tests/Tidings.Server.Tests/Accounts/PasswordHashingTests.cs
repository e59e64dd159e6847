using System.Net.Http.Json;
using Dapper;
using Shouldly;
using Tidings.Server.Features.Accounts;
using Xunit;

namespace Tidings.Server.Tests.Accounts;

public sealed class PasswordHashingTests
{
    [Fact]
    public async Task A_password_is_right_for_its_hash_only()
    {
        using var passwords = new PasswordHashing(iterations: 1_000);
        var hash = await passwords.HashAsync("correct horse", CancellationToken.None);

        (await passwords.VerifyAsync(hash, "correct horse", CancellationToken.None)).ShouldBe(PasswordVerdict.Right);
        (await passwords.VerifyAsync(hash, "Correct horse", CancellationToken.None)).ShouldBe(PasswordVerdict.Wrong);
        (await passwords.VerifyAsync(null, "correct horse", CancellationToken.None)).ShouldBe(PasswordVerdict.Wrong);
        (await passwords.HashAsync("correct horse", CancellationToken.None)).ShouldNotBe(hash);
    }

    [Fact]
    public async Task Of_a_crowd_some_wait_and_the_rest_is_sent_away()
    {
        using var passwords = new PasswordHashing(iterations: 300_000);
        var hashes = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => passwords.HashAsync("correct horse", CancellationToken.None))));

        hashes.Count(hash => hash is not null).ShouldBeInRange(64, 199);
        (await passwords.HashAsync("correct horse", CancellationToken.None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_is_made_anew_at_the_next_sign_in()
    {
        await using var app = await AccountsApp.StartAsync();
        await app.RegisterAsync();
        using var old = new PasswordHashing(iterations: 100);
        var hash = await old.HashAsync("correct horse battery", CancellationToken.None);
        await app.Store.WriteAsync(async write => { await write.ExecuteAsync("UPDATE users SET password_hash = @Hash", new { Hash = hash }); }, CancellationToken.None);

        for (var i = 0; i < 2; i++)
        {
            using var response = await app.Client().PostAsJsonAsync("/api/auth/login", new { login = "ada", password = "correct horse battery" });
            ((int)response.StatusCode).ShouldBe(200);
        }

        var stored = await app.Store.ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT password_hash FROM users"), CancellationToken.None);
        stored.ShouldNotBe(hash);
    }
}
