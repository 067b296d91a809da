namespace Portcullis.Demo;

/// <summary>What <c>demo</c> prints once the gateway answers.</summary>
internal static class DemoText
{
    public static string Render(DemoWorkspace workspace, DemoTokens tokens, int port)
    {
        var url = $"http://127.0.0.1:{port}";
        var bearer = tokens.All.Select(t => $"  ${t.Variable,-14} {t.Meaning}");
        return $"""

            The gateway answers at {url}/ ; httpbin is behind it.

            Tokens (valid for 24 hours). Load them into your shell first:
              . {Relative(workspace.TokensFile)}

            {string.Join('\n', bearer)}

            Now, with RequestAuthentication alone:
              curl -I -H "Authorization: Bearer $TOKEN" {url}/            # 200: valid
              curl -I -H "Authorization: Bearer invalidToken" {url}/      # 401: not a JWT
              curl -I {url}/                                              # 200: no token is let through
              curl -i -H "Authorization: Bearer $TOKEN_EXPIRED" {url}/    # 401: Jwt is expired
              curl -i -H "Authorization: Bearer $TOKEN_ISSUER" {url}/     # 401: Jwt issuer is not configured
              curl -i -H "Authorization: Bearer $TOKEN_KEY" {url}/        # 401: Jwt verification fails
              curl -i -H "Authorization: Bearer $TOKEN_EARLY" {url}/      # 401: Jwt not yet valid

            Require a token on every request, while it runs:
              cp {Relative(workspace.Folder)}/steps/1-require-jwt.yaml {Relative(workspace.ConfigFolder)}/authorization-policy.yaml
              curl -I {url}/                                              # 401, with a challenge
              curl -I {url}/healthz                                       # 200: exempt
              curl -I -H "Authorization: Bearer $TOKEN" {url}/            # 200

            Let only one issuer and subject in:
              cp {Relative(workspace.Folder)}/steps/2-issuer-and-subject.yaml {Relative(workspace.ConfigFolder)}/authorization-policy.yaml
              curl -I -H "Authorization: Bearer $TOKEN" {url}/            # 401: no subject
              curl -I -H "Authorization: Bearer $TOKEN_SUB" {url}/        # 200

            Why was one refused? Its answer has a header x-portcullis-decision-id:
              portcullis explain --id ID                                  # the policy, the clause, and what would let it pass
              portcullis decisions --follow                               # every decision as it is made

            Edit the files in {Relative(workspace.ConfigFolder)}/ and watch this terminal. Ctrl+C stops.


            """;
    }

    private static string Relative(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? Path.GetFullPath(path) : Path.IsPathRooted(relative) ? relative : "./" + relative;
    }
}
