using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Auth.Jwt;

namespace Tidings.Server.Host.Commands;

/// <summary>
/// <c>token --user 42 [--minutes 60]</c>: prints a token as the host app would sign it, to try things out. The token alone goes to the
/// output, so that it can be piped.
/// </summary>
internal static class TokenCommand
{
    private const int UsualMinutes = 60;

    public static Command Command { get; } = new("token", "--user <id> [--minutes <n>]", "prints a token for a user", RunAsync);

    private static async Task<int> RunAsync(CommandContext context)
    {
        var arguments = new CommandArguments(context.Arguments, "user", "minutes");
        var user = arguments.Required("user");
        if (!ChannelName.IsId(user)) throw new CommandUsageException("--user must have 1 to 128 of A-Z a-z 0-9 . _ ~ | @ -.");

        var options = OptionsReader.Read(context.Configuration);
        var minutes = arguments.Number("minutes", UsualMinutes, most: (int)Math.Min(int.MaxValue, options.Auth.MaxTokenLifetime.TotalMinutes));
        var secrets = HostSecrets.Resolve(options, warning => context.Errors.WriteLine($"tidings: warning: {warning}"));

        var minter = new JwtMinter(new HmacKey(secrets.AuthKey), AuthSetup.RulesOf(options), TimeProvider.System);
        var minted = minter.Mint(user, TimeSpan.FromMinutes(minutes));
        await context.Errors.WriteLineAsync($"A token for user {user}, good until {minted.ExpiresAt:yyyy-MM-dd HH:mm:ss} UTC:");
        await context.Output.WriteLineAsync(minted.Token);
        return 0;
    }
}
