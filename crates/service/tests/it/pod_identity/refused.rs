//! Tokens, nodes and roles that get nothing.

use super::*;

#[tokio::test]
async fn a_token_that_lacks_a_part_or_is_for_somebody_else_is_refused() {
    let scene = Scene::new().await;
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut claims = scene.claims();
        change(&mut claims);
        let (code, message) = told(scene.ask_with(&scene.token(&claims)).await);
        assert_eq!(code, "InvalidTokenException", "{claims}: {message}");
        message
    };
    let audience = "Incorrect token audience";
    for aud in [
        json!("sts.amazonaws.com"),
        json!(["sts.amazonaws.com", "pods.eks.amazonaws.com"]),
        json!(["pods.eks.amazonaws.com", "pods.eks.amazonaws.com"]),
        json!("PODS.eks.amazonaws.com"),
        json!("pods.eks.amazonaws.com "),
    ] {
        assert_eq!(refused(&|claims| claims["aud"] = aud.clone()).await, audience, "{aud}");
    }
    // An authorized party stands for no audience.
    let party = |claims: &mut Value| {
        claims["aud"] = json!("app");
        claims["azp"] = json!("pods.eks.amazonaws.com");
    };
    assert_eq!(refused(&party).await, audience);
    let of_pod = "The token is not one of a pod's service account: it lacks the kubernetes.io claims of a bound token, or they contradict each other.";
    for (pointer, value) in [
        ("/kubernetes.io", json!(null)),
        ("/kubernetes.io", json!("shop")),
        ("/kubernetes.io/pod", json!(null)),
        ("/kubernetes.io/pod/name", json!(null)),
        ("/kubernetes.io/pod/name", json!("../till")),
        ("/kubernetes.io/pod/uid", json!(null)),
        ("/kubernetes.io/pod/uid", json!("")),
        ("/kubernetes.io/pod/uid", json!("a,b")),
        ("/kubernetes.io/namespace", json!(null)),
        ("/kubernetes.io/namespace", json!("bank")),
        ("/kubernetes.io/namespace", json!(["shop"])),
        ("/kubernetes.io/serviceaccount/name", json!("boss")),
        ("/kubernetes.io/serviceaccount/uid", json!(null)),
        ("/sub", json!("system:serviceaccount:bank:till")),
        ("/sub", json!("system:serviceaccount:shop:till:x")),
        ("/sub", json!("system:node:node-1")),
    ] {
        let change = |claims: &mut Value| *claims.pointer_mut(pointer).unwrap() = value.clone();
        assert_eq!(refused(&change).await, of_pod, "{pointer} {value}");
    }
    scene.ask().await.unwrap();
}

#[tokio::test]
async fn only_a_key_of_the_clusters_issuer_signs_tokens_of_it() {
    let scene = Scene::new().await;
    let claims = scene.claims();
    // Another key under the same name, no signature, a shared secret, another issuer.
    let other = Key::generate(Algorithm::Es256);
    let head = json!({"alg": "ES256", "kid": "1"});
    let signature = "The signature of the ID Token does not verify";
    let (code, message) = told(scene.ask_with(&other.sign(&head, &claims)).await);
    assert_eq!((code, message.as_str()), ("InvalidTokenException", signature));
    for head in
        [json!({"alg": "none"}), json!({"alg": "HS256", "kid": "1"}), json!({"alg": "RS256", "kid": "1"})]
    {
        let (code, message) = told(scene.ask_with(&other.sign(&head, &claims)).await);
        assert_eq!(code, "InvalidTokenException", "{head}: {message}");
    }
    let mut elsewhere = claims.clone();
    elsewhere["iss"] = json!("https://cluster.example/green");
    scene.house.providers.publish("https://cluster.example/green", &[("1", &other)]);
    scene.house.root("iam", "CreateOpenIDConnectProvider", &[("Url", "https://cluster.example/green")]).await;
    scene.house.providers.asked();
    let (code, message) = told(scene.ask_with(&other.sign(&head, &elsewhere)).await);
    let expected = "The token is from another issuer than that of the cluster.";
    assert_eq!((code, message.as_str()), ("InvalidTokenException", expected));
    assert_eq!(scene.house.providers.asked(), Vec::<String>::new(), "nobody is asked about it");
}

#[tokio::test]
async fn a_token_counts_within_its_time() {
    let scene = Scene::new().await;
    let now = scene.house.clock_now();
    let with = |name: &str, value: i64| {
        let mut claims = scene.claims();
        claims[name] = json!(value);
        scene.token(&claims)
    };
    // Clocks may be five minutes apart, as with AssumeRoleWithWebIdentity.
    scene.ask_with(&with("exp", now - 299)).await.unwrap();
    let (code, message) = told(scene.ask_with(&with("exp", now - 300)).await);
    assert_eq!(code, "ExpiredTokenException");
    assert!(message.starts_with("Token expired: current date/time "), "{message}");
    for early in [with("nbf", now + 301), with("iat", now + 301)] {
        assert_eq!(told(scene.ask_with(&early).await).0, "InvalidTokenException");
    }
    assert_eq!(told(scene.ask_with(&with("iat", now - 86_401)).await).0, "ExpiredTokenException");
    // A date is a number (RFC 7519, section 2), for server and agent.
    for (name, date) in [("exp", now + 600), ("nbf", now), ("iat", now)] {
        let mut claims = scene.claims();
        claims[name] = json!(date.to_string());
        let (code, message) = told(scene.ask_with(&scene.token(&claims)).await);
        assert_eq!(code, "InvalidTokenException", "{name}");
        assert!(message.contains("exp, nbf and iat are numbers"), "{message}");
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_no_refusal() {
    let scene = Scene::new().await;
    scene.house.providers.go_away(ISSUER);
    let (code, _) = told(scene.ask().await);
    assert_eq!(code, "ServiceUnavailableException", "an agent goes on telling what it has");
    scene.house.providers.publish(ISSUER, &[("1", &scene.key)]);
    scene.house.clock.advance(60);
    scene.ask().await.unwrap();
}

#[tokio::test]
async fn a_node_asks_for_pods_of_clusters_that_its_role_names_in_its_own_account() {
    let scene = Scene::new().await;
    let token = scene.token(&scene.claims());
    let stolen = json!({"clusterName": "blue", "token": token});
    // A node of another account, which may ask for everything there.
    let other = scene.house.account(OTHER).await;
    let elsewhere = node(&scene.house, &other, OTHER, "*").await;
    let (code, message) = told(scene.ask_as(&elsewhere, &stolen).await);
    assert_eq!((code, message.as_str()), ("ResourceNotFoundException", "No cluster found for name: blue."));
    // One of another cluster of the account, and a pod's own session.
    let policy = allow("eks-auth:AssumeRoleForPodIdentity", &CLUSTER.replace("blue", "green"), &json!({}));
    let params = [("RoleName", "Node"), ("PolicyName", "p"), ("PolicyDocument", policy.as_str())];
    let pod = keys(&scene.ask().await.unwrap());
    scene.house.root("iam", "PutRolePolicy", &params).await;
    for who in [&scene.node, &pod] {
        let (code, message) = told(scene.ask_as(who, &stolen).await);
        assert_eq!(code, "AccessDeniedException");
        let action = "is not authorized to perform: eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:111122223333:cluster/blue";
        assert!(message.contains(action), "{message}");
    }
}

#[tokio::test]
async fn a_token_of_another_cluster_is_none_of_this_one() {
    let scene = Scene::new().await;
    let other = scene.house.account(OTHER).await;
    let green = Key::generate(Algorithm::Es256);
    scene.house.providers.publish("https://cluster.example/green", &[("1", &green)]);
    let params = [("Url", "https://cluster.example/green")];
    scene.house.call(&other, "iam", "CreateOpenIDConnectProvider", &params).await.unwrap();
    // A provider of another account is no cluster's of this one.
    let provider = format!("arn:aws:iam::{OTHER}:oidc-provider/cluster.example/green");
    let body = json!({"ClusterName": "green", "OpenIDConnectProviderArn": provider});
    let refused = scene.house.call_json(&scene.house.root, "PutPodIdentityCluster", &body).await.unwrap_err();
    assert_eq!(refused.code, "NoSuchEntity");
    scene.house.call_json(&other, "PutPodIdentityCluster", &body).await.unwrap();
    let mut claims = scene.claims();
    claims["iss"] = json!("https://cluster.example/green");
    let token = green.sign(&json!({"alg": "ES256", "kid": "1"}), &claims);
    assert_eq!(told(scene.ask_with(&token).await).0, "InvalidTokenException");
}

#[tokio::test]
async fn an_association_that_is_gone_and_a_role_that_was_made_anew_give_nothing() {
    let scene = Scene::new().await;
    let id = json!({"associationId": scene.association});
    scene.house.root("iam", "DeleteRole", &[("RoleName", "Till")]).await;
    assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()));
    // Another role of the name is not the one that was passed.
    scene.role("Till", &trusting(&both(), &json!({}))).await;
    assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()));
    let kept = scene.eks("DescribePodIdentityAssociation", id.clone()).await.unwrap();
    assert_eq!(kept["association"]["roleArn"], ROLE);
    scene.update(json!({"roleArn": ROLE})).await.unwrap();
    let pod = keys(&scene.ask().await.unwrap());
    scene.eks("DeletePodIdentityAssociation", id).await.unwrap();
    let (code, message) = told(scene.ask().await);
    let expected = "No association found for service account till in namespace shop of cluster blue.";
    assert_eq!((code, message.as_str()), ("ResourceNotFoundException", expected));
    // What a pod has it keeps, as on AWS, until the role's sessions are ended.
    scene.identity(&pod).await.unwrap();
}

#[tokio::test]
async fn a_trust_policy_may_ask_for_which_cluster_and_for_whom() {
    let scene = Scene::new().await;
    let refused = async |condition: Value| {
        scene.trust(&trusting(&both(), &condition)).await;
        assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()), "{condition}");
    };
    refused(json!({"StringEquals": {"aws:SourceAccount": OTHER}})).await;
    refused(json!({"ArnEquals": {"aws:SourceArn": CLUSTER.replace("blue", "green")}})).await;
    refused(json!({"StringEquals": {"aws:RequestTag/kubernetes-service-account": "boss"}})).await;
    refused(json!({"StringEquals": {"sts:ExternalId": "x"}})).await;
    // Everybody of an account is no service, nor is another service.
    for principal in [json!({"AWS": "*"}), json!({"Service": "ec2.amazonaws.com"})] {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": both()});
        scene.trust(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()).await;
        assert_eq!(told(scene.ask().await), ("AccessDeniedException", UNAUTHORIZED.into()), "{principal}");
    }
    scene.trust(&trusting(&both(), &json!({"ArnEquals": {"aws:SourceArn": CLUSTER}}))).await;
    scene.ask().await.unwrap();
}

#[tokio::test]
async fn whoever_may_not_pass_a_role_associates_and_changes_nothing() {
    let scene = Scene::new().await;
    let policy = allow("eks:*", "*", &json!({}));
    let eve = scene.house.user("Eve", Some(&policy)).await;
    let create =
        json!({"clusterName": "blue", "namespace": "shop", "serviceAccount": "eve", "roleArn": ROLE});
    let update =
        json!({"clusterName": "blue", "associationId": scene.association, "disableSessionTags": true});
    let calls = [("CreatePodIdentityAssociation", create), ("UpdatePodIdentityAssociation", update)];
    for (action, body) in &calls {
        let refused = scene.house.call_rest(&eve, "eks", action, body).await.unwrap_err();
        assert!(refused.message.contains("iam:PassRole on resource: arn:aws:iam::111122223333:role/Till"));
    }
    let pass = |service: &str| {
        allow("iam:PassRole", ROLE, &json!({"StringEquals": {"iam:PassedToService": service}}))
    };
    for (service, goes) in [("ec2.amazonaws.com", false), ("pods.eks.amazonaws.com", true)] {
        let policy = pass(service);
        let params = [("UserName", "Eve"), ("PolicyName", "pass"), ("PolicyDocument", policy.as_str())];
        scene.house.root("iam", "PutUserPolicy", &params).await;
        for (action, body) in &calls {
            let outcome = scene.house.call_rest(&eve, "eks", action, body).await;
            assert_eq!(outcome.is_ok(), goes, "{action} {service}");
        }
    }
    // It is known what the role is associated with.
    let of_another = "arn:aws:eks:eu-west-1:111122223333:podidentityassociation/blue/a-0";
    let here = format!("arn:aws:eks:*:111122223333:podidentityassociation/blue/{}", scene.association);
    for (associated, goes) in [(of_another, false), (&*here, true)] {
        let policy =
            allow("iam:PassRole", ROLE, &json!({"ArnLike": {"iam:AssociatedResourceArn": associated}}));
        let params = [("UserName", "Eve"), ("PolicyName", "pass"), ("PolicyDocument", policy.as_str())];
        scene.house.root("iam", "PutUserPolicy", &params).await;
        let (action, body) = &calls[1];
        let outcome = scene.house.call_rest(&eve, "eks", action, body).await;
        assert_eq!(outcome.is_ok(), goes, "{associated}");
    }
    for (cluster, goes) in [("green", false), ("blue", true)] {
        let associated = format!("arn:aws:eks:eu-west-1:111122223333:podidentityassociation/{cluster}/*");
        let policy =
            allow("iam:PassRole", ROLE, &json!({"ArnLike": {"iam:AssociatedResourceArn": associated}}));
        let params = [("UserName", "Eve"), ("PolicyName", "pass"), ("PolicyDocument", policy.as_str())];
        scene.house.root("iam", "PutUserPolicy", &params).await;
        let body =
            json!({"clusterName": "blue", "namespace": "shop", "serviceAccount": "more", "roleArn": ROLE});
        let outcome = scene.house.call_rest(&eve, "eks", "CreatePodIdentityAssociation", &body).await;
        assert_eq!(outcome.is_ok(), goes, "{cluster}");
    }
}
